"""The simulator, driven by the genuine SDK and judged by the genuine signature check."""
