"""What proves it?"""
