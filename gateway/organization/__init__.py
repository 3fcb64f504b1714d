"""Who belongs here, and as what?"""
