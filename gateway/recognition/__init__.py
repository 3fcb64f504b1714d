"""Whose credential is this?"""
