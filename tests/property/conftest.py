"""How many examples hypothesis tries, chosen by HYPOTHESIS_PROFILE: the same ones each time, but for ``nightly``."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

QUIET = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}

settings.register_profile("ci", max_examples=2_000, derandomize=True, database=None, **QUIET)
settings.register_profile("sanitize", max_examples=200, derandomize=True, database=None, **QUIET)
settings.register_profile("nightly", max_examples=200_000, print_blob=True, **QUIET)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
