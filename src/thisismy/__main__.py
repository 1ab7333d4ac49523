"""``python -m thisismy``: the command line."""

from thisismy.cli.app import main

if __name__ == "__main__":
    main()
