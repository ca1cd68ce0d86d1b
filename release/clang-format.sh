#!/bin/sh
# Check the format of C and C++ files with the clang-format of .venv; say so where there is none.
if [ ! -x .venv/bin/clang-format ]; then
  echo "clang-format is not in .venv: C and C++ not checked"
  exit 0
fi
exec .venv/bin/clang-format --dry-run -Werror "$@"
