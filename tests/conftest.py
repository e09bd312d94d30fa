"""Frozen values are guarded in tests; property tests are never judged by the clock, and in CI they try the same examples every time."""

import os

from hypothesis import HealthCheck, settings

from portwright._start import records as values

values.ENFORCE_FROZEN = True

settings.register_profile("portwright", deadline=None, derandomize=bool(os.environ.get("CI")), suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("portwright")
