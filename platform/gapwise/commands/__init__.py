"""The commands: thin; each calls one workflow and shows what it gives.

Everything heavy is imported inside the functions, so that ``gapwise --help`` stays quick. A module
lists its commands in ``COMMANDS``, in the order of the help page.
"""
