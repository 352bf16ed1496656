"""The Streamlit app: pages over the library; started by ``gapwise dashboard``."""
