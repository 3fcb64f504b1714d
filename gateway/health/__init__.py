"""Is the process alive, and should it be asked?"""
