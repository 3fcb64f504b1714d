"""Who is in the organization?"""
