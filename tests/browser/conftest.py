"""Which of these tests are collected."""

import os

# It writes a file that is committed, so only on purpose.
collect_ignore = [] if os.environ.get("UPDATE_README_SCREENSHOT") == "1" else ["test_readme_picture.py"]
