"""Which step changed what?"""
