"""The local system seen from outside: where it listens, its demo partner, its stand-in for Mastercard."""
