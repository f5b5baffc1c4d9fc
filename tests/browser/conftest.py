"""Selection of the collected tests."""

import os

# Writes a committed file, so it runs only on request.
collect_ignore = [] if os.environ.get("UPDATE_README_SCREENSHOT") == "1" else ["test_readme_picture.py"]
