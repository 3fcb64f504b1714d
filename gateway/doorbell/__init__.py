"""Who else must hear of it at once?"""
