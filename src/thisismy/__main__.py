"""``python -m thisismy``: the command line."""

from thisismy.cli import main

if __name__ == "__main__":
    main()
