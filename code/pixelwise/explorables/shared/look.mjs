// How every explorable looks; what only one of them has stands in its own module.

/**
 * Style sheet of all explorables, in the colours of the page's theme.
 * @type {string}
 */
export const LOOK = `
.pw-live{color-scheme:light dark;--ink:light-dark(#1d1f24,#e9e7e2);--soft:light-dark(#565b66,#b3b7c0);
--ground:light-dark(#f7f8fa,#1a2028);--line:light-dark(#868c94,#7d8490);--fill:light-dark(#2b6cb0,#7db4ea);
--good:light-dark(#0b6b3a,#77d49b);--mark:light-dark(#c24a00,#ff9f50);
box-sizing:border-box;max-width:100%;padding:.8rem .9rem .6rem;border:1px solid light-dark(#d5dae0,#353f4a);
border-radius:.6rem;background:var(--ground);color:var(--ink);font:inherit;font-size:.95rem;line-height:1.45;
container-type:inline-size}
html[data-theme=light] .pw-live,[data-jp-theme-light=true] .pw-live,html[theme=light] .pw-live{color-scheme:light}
html[data-theme=dark] .pw-live,[data-jp-theme-light=false] .pw-live,html[theme=dark] .pw-live{color-scheme:dark}
.pw-live *{box-sizing:border-box}
.pw-live [hidden]{display:none!important}
.pw-live p,.pw-live ul,.pw-live fieldset,.pw-live table{margin:0 0 .6rem;padding:0;border:0;float:none}
.pw-explorable figcaption{color:inherit;font:inherit;font-size:.9em}
.pw-live figure{margin:0;padding:0}
.pw-live figcaption{margin:0 0 .2rem;padding:0;color:inherit;font:inherit;font-size:.9rem;text-align:left}
.pw-live legend,.pw-live caption{padding:0;margin-bottom:.25rem;font-weight:600;font-size:inherit;color:inherit;text-align:left;caption-side:top;width:auto}
.pw-live table{width:100%;border-collapse:collapse;font-size:inherit;color:inherit;background:none}
.pw-live th,.pw-live td{padding:.15rem .4rem .15rem 0;border:0;background:none;color:inherit;font-weight:400;text-align:left;vertical-align:middle}
.pw-live td.number{padding-right:0;text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.pw-live label{margin:0}
.pw-live [type=number]{margin:0;padding:.1rem .3rem;border:1px solid var(--line);border-radius:.3rem;background:transparent;color:inherit;font:inherit}
.pw-live :is([type=checkbox],[type=radio]){display:inline-grid;place-content:center;width:1.2rem;height:1.2rem;flex:none;margin:0;
appearance:none;border:1.5px solid var(--line);border-radius:.3rem;background:light-dark(#fff,#12171d);cursor:pointer}
.pw-live [type=radio]{border-radius:50%}
.pw-live :is([type=checkbox],[type=radio]):checked{border-color:var(--fill);background:var(--fill)}
.pw-live [type=radio]:checked{box-shadow:inset 0 0 0 .2rem light-dark(#fff,#12171d)}
.pw-live [type=checkbox]:checked::before{width:.75rem;height:.75rem;background:var(--ground);content:"";
clip-path:polygon(14% 44%,0 60%,42% 100%,100% 20%,84% 6%,40% 68%)}
.pw-live .swatch{display:inline-block;width:.9rem;height:.9rem;margin-right:.4rem;border:1px solid var(--line);border-radius:.2rem}
.pw-live button,.pw-live select{width:auto;margin:0;min-height:1.9rem;padding:.1rem .6rem;border:1px solid var(--line);border-radius:.4rem;
background:transparent;color:inherit;font:inherit;font-size:.9rem;cursor:pointer}
.pw-live select option{background:var(--ground);color:var(--ink)}
.pw-live button[aria-pressed=true]{border-color:var(--fill);background:var(--fill);color:var(--ground)}
.pw-live button:disabled{color:var(--soft);cursor:default}
.pw-live :focus-visible{outline:3px solid var(--fill);outline-offset:2px}
.pw-live .pw-row{display:flex;flex-wrap:wrap;gap:.3rem .4rem;align-items:center}
.pw-live .pw-slider{display:grid;grid-template-columns:minmax(4.6rem,auto) 1fr auto;gap:.6rem;align-items:center}
.pw-live .pw-slider input{width:100%;height:1.9rem;margin:0;accent-color:var(--fill)}
.pw-live .pw-slider b{min-width:2.2rem;text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.pw-live .pw-panel{display:flex;flex-wrap:wrap;gap:.4rem 1.4rem;align-items:center}
.pw-live .pw-panel>*{margin:0}
.pw-live .pw-settings{display:grid;flex:0 0 100%;grid-template-columns:repeat(auto-fit,minmax(min(12.6rem,100%),1fr));gap:.1rem 1.6rem}
.pw-live .pw-choices{display:flex;flex-wrap:wrap;gap:.3rem .4rem;align-items:center}
.pw-live .pw-choices .pw-title{color:var(--soft);font-size:.9rem}
.pw-live .pw-finding{min-height:2.9em;font-weight:600}
.pw-laid>.pw-finding{position:sticky;z-index:1;top:var(--head,0);bottom:0;margin:.5rem 0;padding:.2rem 0 .2rem .7rem;
border-left:3px solid var(--fill);background:var(--ground)}
.pw-laid :is(button,input,select,summary,[tabindex]){scroll-margin:7rem 0}
.pw-live .pw-more{display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;align-items:center;margin-top:.5rem}
.pw-live .pw-more details{margin:0;padding:0;border:0;background:none}
.pw-live .pw-more details>summary{width:fit-content;margin:0;padding:.25rem 0;border:0;color:var(--soft);font-size:.9rem;font-weight:400;cursor:pointer}
.pw-live .pw-more details[open]{flex:0 0 100%}
.pw-live .pw-more .pw-row{flex:1 0 auto;justify-content:flex-end}
.pw-live .pw-met{margin:0;color:var(--good);font-weight:600}
.pw-live .pw-tasks li{list-style:none;margin:.15rem 0;padding-left:4.3rem;text-indent:-4.3rem}
.pw-live .pw-tasks b{display:inline-block;width:4.3rem;text-indent:0;font-weight:600}
.pw-live .pw-tasks .met b{color:var(--good)}
.pw-live svg{display:block;width:100%;height:auto;overflow:visible}
.pw-live svg text{fill:var(--ink);font-size:13px}
.pw-live svg text.soft{fill:var(--soft);font-size:12px}
.pw-live svg text.row{fill:var(--soft)}
.pw-live svg text.y{text-anchor:end}
.pw-live svg path.grid{stroke:var(--line);stroke-width:.6;opacity:.6}
.pw-live canvas{display:block;width:100%;height:auto;border-radius:.3rem}
.pw-live :is(.choose,.picture,.chart){cursor:crosshair;touch-action:manipulation}
.pw-live .views{display:grid;grid-template-columns:minmax(0,1fr);gap:.8rem 1rem}
.pw-live .soft{color:var(--soft)}
.pw-live .unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.pw-live :is(.unseen,.unseen *){white-space:nowrap}
.pw-live .bar{height:.75rem;border-radius:.2rem;background:light-dark(#dde2e8,#39414c);overflow:hidden}
.pw-live .bar>i{display:block;height:100%;background:var(--fill);transition:width .15s}
@container (max-width:34rem){.pw-laid>.pw-finding{font-size:.9rem}}
@media (prefers-reduced-motion:reduce){.pw-live *{transition:none!important}}
@media (forced-colors:active){.pw-live :is([type=checkbox],[type=radio]){appearance:auto}.pw-live .bar{border:1px solid}.pw-live .bar>i{background:Highlight}.pw-live .swatch{forced-color-adjust:none}
.pw-live button[aria-pressed=true]{forced-color-adjust:none;background:Highlight;color:HighlightText}}
`;
