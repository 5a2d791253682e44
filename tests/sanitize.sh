#!/usr/bin/env bash
# The test suite under AddressSanitizer (leaks included) and UndefinedBehaviorSanitizer; arguments go to pytest.
#
# The extensions are compiled with gcc's sanitizers and installed into a virtual environment of their own, .venv-asan.
# Python itself is not instrumented, so the runtimes are preloaded; PYTHONMALLOC=malloc lets them see the bounds of
# every bytes object. Interpreters after 3.11 leak a little at exit by themselves: 3.11 and 3.10 are preferred.
set -euo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-python3}
export CC=${CC:-gcc}
[[ $CC == *gcc* ]] || { echo "sanitize: the recipe is gcc's, and CC is $CC" >&2; exit 1; }

# Args: an interpreter, the newest minor version of Python 3 that will do.
fits() { "$1" -c "import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, $2))" 2>/dev/null; }

detect_leaks=0
for candidate in "$python" python3.11 python3.10; do
    if fits "$candidate" 11; then
        python=$candidate detect_leaks=1
        break
    fi
done
fits "$python" 99 || { echo "sanitize: needs Python 3.10 or newer" >&2; exit 1; }
(( detect_leaks )) || echo "sanitize: NOTICE: no Python 3.10 or 3.11 here, leaks are not looked for" >&2

venv=.venv-asan
if [[ ! -e $venv/.created ]]; then
    "$python" -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --upgrade pip 'setuptools>=77' 'cython>=3.1,<4'
    touch "$venv/.created"
fi
newer=(find src setup.py pyproject.toml -type f -newer "$venv/.installed"
       -not -name '*.so' -not -name '*.pyc' -not -path '*.egg-info/*' -print -quit)
if [[ ! -e $venv/.installed || -n $("${newer[@]}") ]]; then
    # A module deleted since would be installed again.
    find build/sanitize/lib* -type f -not -name '*.so' -delete 2>/dev/null || true
    FLAMEPARSE_SANITIZE=1 "$venv/bin/python" -m pip install --quiet --no-build-isolation '.[dev]'
    touch "$venv/.installed"
fi

# --capture=sys: a report goes straight to the terminal, past the process it ends.
# The browser does not run with the preload. memory: the shadow memory drowns the figures.
# live: gcc and perf do not run with the preload.
# interpreted: none of our compiled code runs.
# packaging: builds without the sanitizers, and says nothing about memory.
run() {
    env LD_PRELOAD="$("$CC" -print-file-name=libasan.so) $("$CC" -print-file-name=libubsan.so)" \
        PYTHONMALLOC=malloc \
        ASAN_OPTIONS="detect_leaks=$detect_leaks:allocator_may_return_null=1" \
        UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
        HYPOTHESIS_PROFILE="${HYPOTHESIS_PROFILE:-sanitize}" FLAMEPARSE_FUZZ_INPUTS="${FLAMEPARSE_FUZZ_INPUTS:-20000}" \
        "$venv/bin/python" -m pytest -p no:cacheprovider -p no:faulthandler --capture=sys \
        --ignore=tests/browser -m 'not memory and not packaging and not live and not interpreted' "$@"
}

if (( $# )); then
    run "$@"
    exit
fi
# Two halves at once; each looks for its own leaks as it ends.
half=(tests/fuzz tests/property) failed=0
run "${half[@]}" >build/sanitize/half.log 2>&1 &
run "${half[@]/#/--ignore=}" || failed=1
wait $! || failed=1
cat build/sanitize/half.log
exit $failed
