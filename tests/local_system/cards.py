"""Card numbers: fresh ones, and those that make the stand-in do something of its own."""

import secrets
from dataclasses import dataclass

BIN = "523400"


@dataclass(frozen=True)
class Card:
    """A valid number."""

    number: str

    @classmethod
    def random(cls) -> "Card":
        """In the demo program's first range."""
        start = BIN + f"{secrets.randbelow(10**9):09}"
        return cls(next(start + digit for digit in "0123456789" if passes_luhn(start + digit)))

    @property
    def bin(self) -> str:
        return self.number[:6]

    @property
    def last4(self) -> str:
        return self.number[-4:]

    @property
    def grouped(self) -> str:
        return " ".join(self.number[start : start + 4] for start in range(0, len(self.number), 4))


def passes_luhn(number: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(number))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


# The stand-in says -52 to it each time, "not qualified for the program".
NOT_QUALIFIED = Card("5234000000001526")
# Of none of the demo program's ranges.
OF_ANOTHER_PROGRAM = Card("5555555555554444")
