"""Which sets of people do rules refer to?"""
