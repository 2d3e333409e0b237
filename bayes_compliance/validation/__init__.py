"""Is it any good? Rivals, back-tests, calibration."""
