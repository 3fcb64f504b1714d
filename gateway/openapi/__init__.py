"""How do programs learn what we answer?"""
