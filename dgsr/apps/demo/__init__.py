"""The demo: a page in the browser that upscales one picture at a time; only `page` and `server` know Gradio."""
