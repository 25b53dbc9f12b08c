"""What the Python suites share; tests/ is where it is imported from (pytest.ini)."""
