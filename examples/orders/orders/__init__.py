"""Where is my order, and can I have my money back: a flow with tools and an approval."""
