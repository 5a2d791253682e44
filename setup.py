"""The extension list and the compiler directives; everything else is in pyproject.toml."""

import os
import sys
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

DEBUG = os.environ.get("FLAMEPARSE_DEBUG") == "1"
SANITIZE = os.environ.get("FLAMEPARSE_SANITIZE") == "1"

# Each kind of build has a folder of its own, so that none takes the objects of another for its own.
BUILD = os.environ.get("FLAMEPARSE_BUILD", "build/sanitize" if SANITIZE else "build/debug" if DEBUG else "build")

compile_args = ["-O3", "-g0", "-std=c11", "-Wall", "-Wno-unused-function"]
if sys.platform == "linux":
    # memcmp and memchr are called per line: without the detour over the PLT the decoder takes 10 % less.
    compile_args += ["-fno-plt", "-fno-semantic-interposition"]
link_args: list[str] = []
if DEBUG:
    compile_args += ["-O1", "-g"]
if SANITIZE:
    link_args += ["-fsanitize=address,undefined"]
    compile_args += [
        "-O1",
        "-g",
        "-fno-wrapv",
        "-fno-omit-frame-pointer",
        "-fno-sanitize-recover=undefined",
        *link_args,
    ]

# One .pyx is one extension module, named by its place in the package.
sources = sorted(Path("src/flameparse").rglob("*.pyx"))
extensions = [
    Extension(
        ".".join(source.relative_to("src").with_suffix("").parts),
        [source.as_posix()],
        depends=["setup.py"],
        extra_compile_args=compile_args,
        extra_link_args=link_args,
    )
    for source in sources
]

setup(
    options={"build": {"build_base": BUILD}, "build_ext": {"parallel": os.cpu_count() or 1}},
    ext_modules=cythonize(
        extensions,
        build_dir=f"{BUILD}/cython",
        include_path=["src"],
        compiler_directives={
            "language_level": 3,
            "boundscheck": DEBUG,
            "initializedcheck": DEBUG,
            "cdivision": True,
            "auto_pickle": False,
            "autotestdict": False,
            "embedsignature": False,
        },
    ),
)
