"""The managed Python runtime, a part a module; ../bootstrap.py starts it."""
