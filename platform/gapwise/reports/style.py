"""The look of a mailed report: on a screen, on a phone, and on paper."""

from typing import Final

from gapwise.figures import palette

CSS: Final = f"""
:root {{ color-scheme: light; }}
* {{ box-sizing: border-box; }}
body {{
  margin: 0; background: {palette.GROUND}; color: {palette.INK};
  font: 15px/1.5 "Source Sans 3", system-ui, "Segoe UI", Helvetica, Arial, sans-serif;
}}
main {{ max-width: 900px; margin: 0 auto; padding: 28px 20px 48px; }}
header p {{ margin: 0; }}
.over {{
  color: {palette.MUTED}; font-size: 13px; letter-spacing: .02em; overflow-wrap: anywhere;
}}
h1 {{ font-size: 30px; line-height: 1.2; margin: 6px 0 8px; font-weight: 650; }}
h1 .mark {{ border-bottom: 4px solid; padding-bottom: 1px; }}
.lead {{ font-size: 17px; max-width: 46em; }}
section {{
  background: {palette.CARD}; border: 1px solid {palette.LINE}; border-radius: 10px;
  padding: 16px 20px 18px; margin-top: 16px;
}}
h2 {{ font-size: 17px; margin: 0 0 10px; font-weight: 650; }}
h2 small {{ color: {palette.MUTED}; font-weight: 400; font-size: 13px; margin-left: 6px; }}
h3 {{ font-size: 14px; margin: 16px 0 4px; font-weight: 650; }}
.drawing {{ display: block; width: 100%; height: auto; font-family: inherit; }}
.scroll {{ overflow-x: auto; }}
table {{ border-collapse: collapse; width: 100%; font-size: 14px; }}
th, td {{
  text-align: left; padding: 5px 14px 5px 0; border-top: 1px solid {palette.GRID};
  vertical-align: top;
}}
thead th {{ border-top: 0; color: {palette.MUTED}; font-weight: 500; font-size: 13px; }}
td.number, td span, td small {{ white-space: nowrap; }}
td small {{ color: {palette.MUTED}; }}
td svg {{ display: block; margin-top: 3px; }}
td.number, th.number {{ text-align: right; font-variant-numeric: tabular-nums; }}
td.name {{ overflow-wrap: anywhere; min-width: 6em; }}
tbody th {{ font-weight: 600; }}
ol.steps {{ margin: 0; padding-left: 22px; }}
ol.steps li {{ margin: 0 0 12px; padding-left: 4px; }}
ol.steps li:last-child {{ margin-bottom: 0; }}
.gain {{ font-weight: 600; white-space: nowrap; margin-left: 6px; }}
.why {{ color: {palette.MUTED}; }}
code, pre {{ font: 13px/1.45 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }}
.command {{
  display: block; background: {palette.GROUND}; border: 1px solid {palette.LINE};
  border-radius: 6px; padding: 5px 10px; margin-top: 4px; overflow-wrap: anywhere;
}}
pre {{ white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; }}
ul {{ margin: 0; padding-left: 20px; }}
ul li {{ margin: 0 0 6px; overflow-wrap: anywhere; }}
.gallery {{
  display: grid; grid-template-columns: repeat(auto-fill, minmax(104px, 1fr)); gap: 12px;
}}
.gallery figure {{ margin: 0; font-size: 12.5px; line-height: 1.35; overflow-wrap: anywhere; }}
.gallery img {{
  width: 100%; aspect-ratio: 1; object-fit: contain; image-rendering: pixelated;
  background: {palette.GROUND}; border: 1px solid {palette.LINE}; border-radius: 6px;
}}
.gallery .id {{ color: {palette.FAINT}; font-size: 11px; }}
dl {{
  display: grid; grid-template-columns: max-content 1fr; gap: 3px 16px; margin: 0;
  font-size: 14px;
}}
dt {{ color: {palette.MUTED}; }}
dd {{ margin: 0; overflow-wrap: anywhere; }}
a {{ color: {palette.BLUE}; }}
footer {{ color: {palette.FAINT}; font-size: 12.5px; margin-top: 18px; }}
@media (max-width: 560px) {{
  main {{ padding: 18px 10px 32px; }}
  section {{ padding: 12px; }}
  h1 {{ font-size: 24px; }}
}}
@page {{ size: A4; margin: 14mm; }}
@media print {{
  body {{ background: none; font-size: 10.5pt; -webkit-print-color-adjust: exact;
    print-color-adjust: exact; }}
  main {{ max-width: none; padding: 0; }}
  section {{ border: 0; border-top: 1px solid {palette.LINE}; border-radius: 0; padding: 10px 0; }}
  h2, h3 {{ break-after: avoid; }}
  tr, li, figure, .drawing {{ break-inside: avoid; }}
  thead {{ display: table-header-group; }}
  .gallery {{ grid-template-columns: repeat(8, 1fr); }}
  pre {{ font-size: 8.5pt; }}
}}
"""
