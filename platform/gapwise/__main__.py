"""``python -m gapwise``: what ``torchrun -m gapwise`` starts in each process."""

from gapwise.cli import main

if __name__ == "__main__":
    main()
