"""The documentation site, made of the pages and the sources; ``make docs`` builds it."""
