"""Gateway: may this request pass to the application behind the proxy?"""

__version__ = "0.1.0"
