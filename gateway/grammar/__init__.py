"""What may be written?"""
