import pytest

pytest.register_assert_rewrite("tests.staging.doubles", "tests.staging.operations", "tests.staging.processes")
