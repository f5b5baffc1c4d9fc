"""Digits of other scripts, as keyboards and input methods write them."""

ASCII = 0x30
FULL_WIDTH = 0xFF10
ZEROS = {
    "Arabic-Indic": 0x660,
    "Persian": 0x6F0,
    "full-width": FULL_WIDTH,
    "Devanagari": 0x966,
    "Thai": 0xE50,
}


def in_script(zero: int, text: str) -> str:
    """Returns the text with its digits in the script with this zero."""
    return text.translate({ASCII + value: zero + value for value in range(10)})
