#include "report/page_style.h"

namespace tagclip {

const std::string_view kPageStyle = R"(
:root {
  color-scheme: light dark;
  --paper: #fdfdfb; --ink: #202124; --faint: #63676e; --rule: #d9dade; --track: #ececee;
  --seen: #000; --unseen: #d00000;
  --g0: #0072b2; --g1: #d55e00; --g2: #008f6b; --g3: #b8559a;
  --g4: #b07800; --g5: #3f9bd1; --g6: #6d4bb3; --g7: #666;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #17191c; --ink: #e6e7ea; --faint: #a0a4ab; --rule: #3a3d43; --track: #26292e;
    --seen: #fff; --unseen: #ff4d4d;
    --g0: #57aee0; --g1: #f08a43; --g2: #35c79d; --g3: #de8cc4;
    --g4: #e3b04b; --g5: #9bd4f5; --g6: #b39cec; --g7: #b5b5b5;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1rem 1rem 4rem; max-width: 76rem;
  background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif;
}
h1 { font-size: 1.6rem; margin: .5rem 0 0; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem; border-bottom: 1px solid var(--rule); }
h3 { font-size: 1rem; margin: 1.5rem 0 .5rem; }
p { margin: .5rem 0; max-width: 60rem; }
.scroll { overflow-x: auto; }
.g0 { --own: var(--g0); } .g1 { --own: var(--g1); } .g2 { --own: var(--g2); }
.g3 { --own: var(--g3); } .g4 { --own: var(--g4); } .g5 { --own: var(--g5); }
.g6 { --own: var(--g6); } .g7 { --own: var(--g7); }

table { border-collapse: collapse; font-size: .95rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .75rem .25rem 0; text-align: left; white-space: nowrap; }
th { border-bottom: 1px solid var(--rule); font-weight: 600; }
table.numbers th:nth-child(n+2), table.numbers td:nth-child(n+2) { text-align: right; }
tr.paper, .notes, figcaption { color: var(--faint); }
tr.paper td:first-child { padding-left: 1.25rem; }
.notes { padding-left: 1.2rem; font-size: .9rem; max-width: 60rem; }

.key { list-style: none; display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; padding: 0; }
.swatch {
  display: inline-block; width: 1.5rem; margin-right: .4rem; vertical-align: middle;
  border-top: 4px solid var(--own);
}
.swatch.dashed { border-top-style: dashed; }

.charts { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); }
figure { margin: 0; }
figcaption { font-size: .9rem; overflow-wrap: anywhere; }
.chart svg { display: block; width: 100%; height: auto; font-size: 11px; }
.chart text { fill: var(--faint); }
.chart .left { text-anchor: end; } .chart .below { text-anchor: middle; }
.grid { stroke: var(--rule); stroke-width: .7; }
.curve polyline { fill: none; stroke: var(--own); stroke-width: 1.5; stroke-linejoin: round; opacity: .85; }
.curve.dashed polyline { stroke-dasharray: 5 3; }
.curve circle { fill: var(--own); }

.classes { display: grid; grid-template-columns: minmax(5rem, max-content) 1fr; gap: .5rem .75rem; }
.class { overflow-wrap: anywhere; }
.bars { display: grid; grid-template-columns: 1fr 7rem; gap: 2px .5rem; align-items: center; }
.track { position: relative; background: var(--track); height: .8rem; }
.bar { height: 100%; background: var(--own); }
.bar.dashed { opacity: .6; }
.track i { position: absolute; top: 50%; height: 2px; margin-top: -1px; background: var(--ink); }
.value { font-size: .8rem; line-height: 1.2; color: var(--faint); font-variant-numeric: tabular-nums; }

.photos { display: grid; grid-auto-flow: column; grid-auto-columns: minmax(9rem, 1fr); gap: .5rem; align-items: end; margin-top: 1rem; }
.photos img { display: block; width: 100%; height: auto; }
.none { color: var(--faint); border: 1px dashed var(--rule); padding: 1rem; margin: 0; }
.tag { display: inline-block; padding: 0 .4rem; margin: .1rem 0; color: #000; border: 2px solid var(--seen); font-size: .85rem; }
.tag.unseen { border-color: var(--unseen); }
)";

}  // namespace tagclip
