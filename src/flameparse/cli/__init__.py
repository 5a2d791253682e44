"""The command line: one thin module per subcommand, from arguments to options to the pipeline to an exit code."""
