"""Digits as keyboards and input methods of other scripts write them."""

ASCII = 0x30
FULL_WIDTH = 0xFF10
ZEROS = {
    "Arabic-Indic": 0x660,
    "Persian": 0x6F0,
    "full-width": FULL_WIDTH,
    "Devanagari": 0x966,
    "Thai": 0xE50,
}


def written_from(zero: int, text: str) -> str:
    """The text with its digits in the script whose zero this is."""
    return text.translate({ASCII + value: zero + value for value in range(10)})
