#!/bin/sh
# lint.sh BUILD: format, static checks and the law of the house. Changes nothing.
set -u
build=${1:-build} bad=0
git ls-files '*.c' '*.h' | xargs clang-format --dry-run -Werror || bad=1
cppcheck --quiet --enable=warning,performance,portability --inline-suppr --std=c11 \
    --suppress=missingIncludeSystem --suppress=identicalInnerCondition --suppress=uninitvar \
    --suppress=arrayIndexOutOfBoundsCond \
    -DLASTLIGHT_VERSION='"lint"' -Isrc --error-exitcode=1 src || bad=1
[ -e "$build/build.ninja" ] && { meson test -C "$build" --suite law || bad=1; }
exit $bad
