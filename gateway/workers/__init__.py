"""Who serves, and who takes over when a process dies?

`supervisor.py` decides, in one thread and without an event loop, so that it may fork at any time; everything heavy is
imported before the first fork, which makes a worker ready in a moment. `worker.py` is what each worker does.
"""
