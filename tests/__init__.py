"""The tests of Box Office. (A package, so that no installed library's `tests` is found in its place.)"""
