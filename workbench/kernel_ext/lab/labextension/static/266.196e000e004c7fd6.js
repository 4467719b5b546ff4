"use strict";(self.rspackChunkworkbench_lab=self.rspackChunkworkbench_lab||[]).push([[266],{"./node_modules/css-loader/dist/cjs.js!./style/alerts.css"(e,o,r){var t=r("./node_modules/css-loader/dist/runtime/noSourceMaps.js"),i=r.n(t),n=r("./node_modules/css-loader/dist/runtime/api.js"),a=(r.n(n))()(i());a.push([e.id,`/* The panel of alerts and the text of a rule; only JupyterLab's variables, so that every theme fits. */

/* ---- the panel of alerts ---- */

.wb-Paged-body {
  flex: 1;
  overflow: auto;
  padding-bottom: 12px;
}

.wb-Alert-new,
.wb-Alert-answer {
  padding: 0 12px 8px;
}

.wb-Alert-new {
  display: flex;
  justify-content: flex-end;
}

.wb-Alerts .wb-Panel-title {
  overflow-wrap: anywhere;
}

.wb-Alerts .wb-Job-facts dd {
  overflow-wrap: anywhere;
  white-space: normal;
}

.wb-Alerts button.jp-mod-styled {
  padding: 0 8px;
}

.wb-Alert-about,
.wb-Alert-none,
.wb-Alert-head {
  margin: 4px 0;
  padding: 0 12px;
  line-height: 20px;
  overflow-wrap: anywhere;
}

.wb-Alert-head {
  margin-top: 8px;
  font-size: var(--jp-ui-font-size1);
  font-weight: 600;
}

.wb-Alert-none {
  color: var(--jp-ui-font-color2);
}

.wb-Paged-body > .wb-Mistake {
  margin: 4px 12px;
}

.wb-Strip {
  padding: 4px 12px;
}

.wb-Strip svg {
  display: block;
  width: 100%;
  height: 48px;
  border-bottom: var(--jp-border-width) solid var(--jp-border-color2);
}

.wb-Strip-bar.wb-mod-fine {
  fill: var(--jp-ui-font-color3);
}

.wb-Strip-bar.wb-mod-violated {
  fill: var(--jp-error-color1);
}

.wb-Strip-bar.wb-mod-NoData {
  fill: none;
  stroke: var(--jp-warn-color1);
}

.wb-Strip-bar.wb-mod-Error {
  stroke: var(--jp-error-color1);
  stroke-width: 2;
  fill: none;
}

.wb-Strip-threshold {
  stroke: var(--jp-ui-font-color1);
  stroke-dasharray: 4 2;
  vector-effect: non-scaling-stroke;
}

.wb-Strip-told {
  margin: 0;
  color: var(--jp-ui-font-color2);
  font-size: var(--jp-ui-font-size0);
  font-variant-numeric: tabular-nums;
  line-height: 20px;
}

.wb-Alert-table {
  border-spacing: 0;
  margin: 0 12px;
  font-size: var(--jp-ui-font-size1);
  line-height: 20px;
}

.wb-Paged-body .wb-Alert-table {
  width: calc(100% - 24px);
  table-layout: fixed;
}

.wb-Alert-table th,
.wb-Alert-table td {
  overflow: hidden;
  max-width: 40ch;
  padding: 2px 8px 2px 0;
  border-bottom: var(--jp-border-width) solid var(--jp-border-color2);
  text-align: left;
  text-overflow: ellipsis;
  white-space: nowrap;
}

.wb-Alert-table th {
  color: var(--jp-ui-font-color2);
  font-weight: 400;
}

.wb-Alert-table .wb-mod-number {
  font-variant-numeric: tabular-nums;
  text-align: right;
}

.wb-Alert-list,
.wb-Alert-history {
  margin: 0;
  padding: 0 12px;
  list-style: none;
}

.wb-Alert-list li {
  display: flex;
  gap: 8px;
  line-height: 24px;
}

.wb-Alert-what {
  flex: 1;
  overflow: hidden;
  min-width: 0;
  text-overflow: ellipsis;
  white-space: nowrap;
}

.wb-Alert-open {
  overflow: hidden;
  max-width: 100%;
  padding: 0;
  border: none;
  background: none;
  color: var(--jp-content-link-color);
  cursor: pointer;
  font-size: var(--jp-ui-font-size1);
  font-variant-numeric: tabular-nums;
  line-height: 20px;
  text-overflow: ellipsis;
  vertical-align: bottom;
  white-space: nowrap;
}

.wb-Alert-list .wb-mark {
  white-space: nowrap;
}

.wb-Alert-history li {
  padding: 4px 0 4px 9px;
  border-left: 3px solid var(--jp-border-color2);
  line-height: 20px;
}

.wb-Alert-comment,
.wb-Alert-detail {
  display: block;
  overflow-wrap: anywhere;
  white-space: pre-wrap;
}

.wb-Alert-detail {
  color: var(--jp-ui-font-color2);
}

.wb-Alert-answer textarea.jp-mod-styled {
  box-sizing: border-box;
  width: 100%;
  margin-bottom: 8px;
  padding: 4px 8px;
  border: var(--jp-border-width) solid var(--jp-border-color1);
  background: var(--jp-input-background);
  color: var(--jp-ui-font-color0);
  font-family: var(--jp-ui-font-family);
  font-size: var(--jp-ui-font-size1);
  resize: vertical;
}

.wb-Alert-answer textarea:focus-visible,
.wb-RuleEditor button:focus-visible,
.wb-Preview-records:focus-visible {
  outline: 2px solid var(--jp-brand-color1);
  outline-offset: -2px;
}

/* ---- the text of a rule ---- */

.wb-RuleEditor {
  overflow: hidden;
  background: var(--jp-layout-color1);
  color: var(--jp-ui-font-color1);
  font-family: var(--jp-ui-font-family);
  font-size: var(--jp-ui-font-size1);
}

.wb-RuleEditor-page {
  display: flex;
  flex-direction: column;
  height: 100%;
}

.wb-RuleEditor-code {
  flex: 1 1 50%;
  overflow: hidden;
  min-height: 160px;
}

.wb-RuleEditor-code .cm-editor {
  height: 100%;
}

.wb-RuleEditor-told {
  flex: 0 1 auto;
  overflow: auto;
  max-height: 60%;
  border-top: var(--jp-border-width) solid var(--jp-border-color2);
}

.wb-RuleEditor-told > .wb-Mistake {
  margin: 4px 12px;
}

.wb-RuleEditor-findings {
  margin: 0;
  padding: 4px 12px 0;
  line-height: 20px;
  list-style: none;
  white-space: pre-line;
}

.wb-RuleEditor-findings li {
  display: flex;
  gap: 8px;
  padding-left: 8px;
  border-left: 3px solid var(--jp-warn-color1);
}

.wb-RuleEditor-findings li.wb-mod-error {
  border-left-color: var(--jp-error-color1);
}

.wb-RuleEditor-place {
  color: var(--jp-ui-font-color2);
  font-variant-numeric: tabular-nums;
}

.wb-RuleEditor-act {
  display: flex;
  gap: 8px;
  align-items: center;
  padding: 8px 12px;
}

.wb-RuleEditor-state {
  flex: 1;
  color: var(--jp-ui-font-color2);
}

.wb-Preview {
  padding-bottom: 12px;
}

.wb-Preview-answer {
  margin: 0;
  padding: 4px 12px;
  font-weight: 600;
  line-height: 20px;
}

.wb-Preview-old {
  margin-left: 8px;
  color: var(--jp-ui-font-color2);
  font-weight: 400;
}

.wb-Preview details {
  margin: 8px 12px 0;
}

.wb-Preview summary {
  cursor: pointer;
  line-height: 24px;
}

.wb-Preview-records {
  overflow: auto;
}

.wb-Preview-records .wb-Alert-table {
  margin: 0;
}
`,""]),r.d(o,{},{A:a})},"./node_modules/css-loader/dist/cjs.js!./style/base.css"(e,o,r){var t=r("./node_modules/css-loader/dist/runtime/noSourceMaps.js"),i=r.n(t),n=r("./node_modules/css-loader/dist/runtime/api.js"),a=(r.n(n))()(i());a.push([e.id,`/* Only JupyterLab's variables, so that every theme fits. */

.wb-Tip {
  max-width: 60ch;
  padding: 4px 8px;
  color: var(--jp-ui-font-color1);
  font-family: var(--jp-ui-font-family);
  font-size: var(--jp-ui-font-size1);
  line-height: 20px;
}

.wb-Tip-code {
  display: block;
  white-space: pre-wrap;
  background: none;
  color: var(--jp-content-font-color1);
  font-family: var(--jp-code-font-family);
  font-size: var(--jp-code-font-size);
}

.wb-Tip-code.wb-mod-other {
  color: var(--jp-ui-font-color2);
}

.wb-Tip-active {
  color: var(--jp-brand-color1);
}

.wb-Tip-doc,
.wb-Tip-finding {
  margin: 0;
}

.wb-Tip-doc {
  color: var(--jp-ui-font-color2);
}

.cm-editor.wb-Rule .cm-tooltip,
.cm-editor.wb-LogSearch .cm-tooltip {
  border: var(--jp-border-width) solid var(--jp-border-color1);
  background: var(--jp-layout-color1);
  color: var(--jp-ui-font-color1);
}

.cm-editor.wb-Rule .cm-diagnostic,
.cm-editor.wb-LogSearch .cm-diagnostic {
  margin: 0;
  padding: 0;
}

/* ---- the side panel ---- */

.wb-Panel {
  display: flex;
  flex-direction: column;
  min-width: 200px;
  overflow: hidden;
  background: var(--jp-layout-color1);
  color: var(--jp-ui-font-color1);
  font-family: var(--jp-ui-font-family);
  font-size: var(--jp-ui-font-size1);
}

.wb-Panel-head {
  display: flex;
  align-items: center;
  justify-content: space-between;
  padding: 8px 12px 0;
}

.wb-Panel-title {
  margin: 0;
  font-size: var(--jp-ui-font-size1);
  font-weight: 600;
}

.wb-Panel-refresh {
  display: flex;
  padding: 4px;
  border: none;
  background: none;
  cursor: pointer;
}

.wb-Panel-workspace {
  overflow: hidden;
  padding: 0 12px;
  color: var(--jp-ui-font-color2);
  font-size: var(--jp-ui-font-size0);
  direction: rtl;
  text-align: left;
  text-overflow: ellipsis;
  unicode-bidi: plaintext;
  white-space: nowrap;
}

.wb-Panel-filter.jp-mod-styled {
  height: 28px;
  margin: 8px 12px;
  padding: 0 8px;
  border: var(--jp-border-width) solid var(--jp-border-color1);
  background: var(--jp-input-background);
  color: var(--jp-ui-font-color0);
  font-size: var(--jp-ui-font-size1);
}

.wb-Panel-note {
  padding: 8px 12px;
  color: var(--jp-ui-font-color1);
  line-height: 20px;
  overflow-wrap: anywhere;
  white-space: pre-line;
}

.wb-Panel-note p {
  margin: 0 0 8px;
}

.wb-Tree {
  flex: 1;
  overflow: auto;
  padding-bottom: 12px;
}

.wb-Tree-row {
  display: flex;
  align-items: center;
  gap: 4px;
  min-height: 24px;
  padding: 0 12px 0 8px;
  cursor: default;
  line-height: 20px;
}

.wb-Tree-row.wb-mod-level1 {
  margin-top: 4px;
  font-weight: 600;
}

.wb-Tree-row.wb-mod-level2 {
  padding-left: 16px;
}

.wb-Tree-row.wb-mod-level3 {
  padding-left: 32px;
}

.wb-Tree-row:hover {
  background: var(--jp-layout-color2);
}

.wb-Tree-row:focus-visible,
.wb-Tree-row:focus {
  outline: 2px solid var(--jp-brand-color1);
  outline-offset: -2px;
}

.wb-Tree-caret {
  flex: 0 0 16px;
  height: 16px;
}

.wb-Tree-label {
  flex: 1 1 auto;
  min-width: 0;
  overflow: hidden;
  text-overflow: ellipsis;
  white-space: nowrap;
}

.wb-Tree-row.wb-mod-told .wb-Tree-label {
  color: var(--jp-ui-font-color2);
  white-space: normal;
}

.wb-Tree-label.wb-mod-code {
  font-family: var(--jp-code-font-family);
  font-size: var(--jp-code-font-size);
}

.wb-Tree-detail {
  flex: 0 0 auto;
  color: var(--jp-ui-font-color2);
  font-variant-numeric: tabular-nums;
  font-weight: 400;
}

/* The button takes the place of the detail, so that no line changes its width. */
.wb-Tree-button {
  display: none;
  flex: 0 0 auto;
  padding: 0 4px;
  border: var(--jp-border-width) solid var(--jp-border-color1);
  background: var(--jp-layout-color1);
  color: var(--jp-ui-font-color1);
  cursor: pointer;
  font-size: var(--jp-ui-font-size0);
  line-height: 18px;
}

.wb-Tree-row:hover .wb-Tree-button,
.wb-Tree-row:focus .wb-Tree-button,
.wb-Tree-row:focus-within .wb-Tree-button {
  display: inline-block;
}

.wb-Tree-row:hover .wb-Tree-button + .wb-Tree-detail {
  display: none;
}

/* ---- panels with pages: automation, alerts ---- */

/* A meaning as a dot beside its word. */
.wb-mark::before {
  display: inline-block;
  width: 8px;
  height: 8px;
  margin-right: 4px;
  border-radius: 50%;
  background: var(--jp-ui-font-color3);
  content: '';
}

.wb-mark.wb-mod-good::before {
  background: var(--jp-success-color1);
}

.wb-mark.wb-mod-live::before {
  background: var(--jp-info-color1);
}

.wb-mark.wb-mod-warning::before {
  background: var(--jp-warn-color1);
}

.wb-mark.wb-mod-bad::before {
  background: var(--jp-error-color1);
}

.wb-Paged-page {
  display: flex;
  flex: 1;
  flex-direction: column;
  min-height: 0;
}

.wb-Panel-back {
  align-self: flex-start;
  margin: 0 12px;
  padding: 0;
  border: none;
  background: none;
  color: var(--jp-content-link-color);
  cursor: pointer;
  font-size: var(--jp-ui-font-size1);
  line-height: 20px;
}

.wb-Mistake {
  margin: 4px 0;
  padding-left: 8px;
  border-left: 3px solid var(--jp-error-color1);
  color: var(--jp-ui-font-color1);
  line-height: 20px;
  overflow-wrap: anywhere;
  white-space: pre-line;
}

.wb-Form {
  flex: 1;
  overflow: auto;
  padding: 8px 12px 12px;
}

.wb-Form-about {
  margin: 0 0 12px;
  line-height: 20px;
}

.wb-Form-field {
  margin-bottom: 8px;
}

.wb-Form-label {
  display: flex;
  gap: 8px;
  align-items: baseline;
  line-height: 20px;
}

.wb-Form-name {
  font-family: var(--jp-code-font-family);
  font-size: var(--jp-code-font-size);
}

.wb-Form-type,
.wb-Form-help,
.wb-Job-time {
  color: var(--jp-ui-font-color2);
}

.wb-Form-help {
  min-height: 20px;
  margin: 0;
  font-size: var(--jp-ui-font-size0);
  line-height: 20px;
}

.wb-Form input.jp-mod-styled,
.wb-Form select.jp-mod-styled,
.wb-Form textarea.jp-mod-styled {
  box-sizing: border-box;
  width: 100%;
  min-height: 28px;
  padding: 0 8px;
  border: var(--jp-border-width) solid var(--jp-border-color1);
  background: var(--jp-input-background);
  color: var(--jp-ui-font-color0);
  font-family: var(--jp-code-font-family);
  font-size: var(--jp-code-font-size);
}

.wb-Form select.jp-mod-styled {
  appearance: auto;
}

.wb-Form textarea.jp-mod-styled {
  padding: 4px 8px;
  resize: vertical;
}

.wb-Form [aria-invalid='true'].jp-mod-styled {
  border-color: var(--jp-error-color1);
}

.wb-Form :focus-visible,
.wb-Paged button:focus-visible,
.wb-Lines:focus-visible {
  outline: 2px solid var(--jp-brand-color1);
  outline-offset: -2px;
}

.wb-Form-more {
  margin-bottom: 12px;
}

.wb-Form-more summary {
  cursor: pointer;
  line-height: 24px;
}

.wb-Form-act,
.wb-Job-act {
  display: flex;
  flex-wrap: wrap;
  gap: 8px;
  justify-content: flex-end;
}

.wb-Job-act {
  padding: 4px 12px 8px;
}

.wb-Job-state {
  display: flex;
  align-items: baseline;
  justify-content: space-between;
  padding: 8px 12px 0;
  font-weight: 600;
  line-height: 20px;
}

.wb-Job-time {
  font-variant-numeric: tabular-nums;
  font-weight: 400;
}

/* Its place is kept, so that nothing moves with the first line of progress. */
.wb-Job-progress {
  min-height: 32px;
  padding: 4px 12px;
}

.wb-Job-bar {
  height: 4px;
  background: var(--jp-layout-color3);
}

.wb-Job-bar > div {
  height: 100%;
  background: var(--jp-info-color1);
}

.wb-Job-bar.wb-mod-ended > div {
  background: var(--jp-ui-font-color3);
}

.wb-Job-far {
  color: var(--jp-ui-font-color2);
  font-size: var(--jp-ui-font-size0);
  font-variant-numeric: tabular-nums;
}

.wb-Job-facts {
  display: grid;
  grid-template-columns: auto 1fr;
  gap: 0 8px;
  margin: 0;
  padding: 0 12px;
  line-height: 20px;
}

.wb-Job-facts dt {
  color: var(--jp-ui-font-color2);
}

.wb-Job-facts dd {
  min-width: 0;
  overflow: hidden;
  margin: 0;
  text-overflow: ellipsis;
  white-space: nowrap;
}

.wb-Paged-page > .wb-Mistake,
.wb-Job-question {
  margin: 4px 12px;
}

.wb-Job-question {
  padding-left: 8px;
  border-left: 3px solid var(--jp-warn-color1);
}

.wb-Job-ask {
  margin: 0;
  font-weight: 600;
  line-height: 20px;
  white-space: pre-line;
}

.wb-Lines {
  flex: 1;
  min-height: 120px;
  overflow: auto;
  padding: 4px 0 12px;
  border-top: var(--jp-border-width) solid var(--jp-border-color2);
}

.wb-Lines-none {
  margin: 0;
  padding: 4px 12px;
  color: var(--jp-ui-font-color2);
  line-height: 20px;
}

.wb-Lines-line {
  padding: 2px 12px 2px 9px;
  border-left: 3px solid var(--jp-border-color2);
}

.wb-Lines-line.wb-mod-Error {
  border-left-color: var(--jp-error-color1);
}

.wb-Lines-line.wb-mod-Warning {
  border-left-color: var(--jp-warn-color1);
}

.wb-Lines-line.wb-mod-Progress {
  border-left-color: var(--jp-info-color1);
}

.wb-Lines-kind {
  display: block;
  color: var(--jp-ui-font-color2);
  font-size: var(--jp-ui-font-size0);
  font-variant-numeric: tabular-nums;
  line-height: 16px;
}

.wb-Lines-line.wb-mod-Verbose .wb-Lines-text {
  color: var(--jp-ui-font-color2);
}

.wb-Lines-text {
  font-family: var(--jp-code-font-family);
  font-size: var(--jp-code-font-size);
  line-height: 20px;
  overflow-wrap: anywhere;
  white-space: pre-wrap;
}

.wb-Evidence {
  overflow: auto;
  padding: 8px;
}
`,""]),r.d(o,{},{A:a})},"./node_modules/css-loader/dist/cjs.js!./style/index.css"(e,o,r){var t=r("./node_modules/css-loader/dist/runtime/noSourceMaps.js"),i=r.n(t),n=r("./node_modules/css-loader/dist/runtime/api.js"),a=r.n(n),l=r("./node_modules/css-loader/dist/cjs.js!./style/base.css"),s=r("./node_modules/css-loader/dist/cjs.js!./style/alerts.css"),d=a()(i());d.i(l.A),d.i(s.A),d.push([e.id,`
`,""]),r.d(o,{},{A:d})},"./node_modules/css-loader/dist/runtime/api.js"(e){e.exports=function(e){var o=[];return o.toString=function(){return this.map(function(o){var r="",t=void 0!==o[5];return o[4]&&(r+="@supports (".concat(o[4],") {")),o[2]&&(r+="@media ".concat(o[2]," {")),t&&(r+="@layer".concat(o[5].length>0?" ".concat(o[5]):""," {")),r+=e(o),t&&(r+="}"),o[2]&&(r+="}"),o[4]&&(r+="}"),r}).join("")},o.i=function(e,r,t,i,n){"string"==typeof e&&(e=[[null,e,void 0]]);var a={};if(t)for(var l=0;l<this.length;l++){var s=this[l][0];null!=s&&(a[s]=!0)}for(var d=0;d<e.length;d++){var p=[].concat(e[d]);t&&a[p[0]]||(void 0!==n&&(void 0===p[5]||(p[1]="@layer".concat(p[5].length>0?" ".concat(p[5]):""," {").concat(p[1],"}")),p[5]=n),r&&(p[2]&&(p[1]="@media ".concat(p[2]," {").concat(p[1],"}")),p[2]=r),i&&(p[4]?(p[1]="@supports (".concat(p[4],") {").concat(p[1],"}"),p[4]=i):p[4]="".concat(i)),o.push(p))}},o}},"./node_modules/css-loader/dist/runtime/noSourceMaps.js"(e){e.exports=function(e){return e[1]}},"./style/index.css"(e,o,r){r.r(o);var t=r("./node_modules/style-loader/dist/runtime/injectStylesIntoStyleTag.js"),i=r.n(t),n=r("./node_modules/style-loader/dist/runtime/styleDomAPI.js"),a=r.n(n),l=r("./node_modules/style-loader/dist/runtime/insertBySelector.js"),s=r.n(l),d=r("./node_modules/style-loader/dist/runtime/setAttributesWithoutAttributes.js"),p=r.n(d),c=r("./node_modules/style-loader/dist/runtime/insertStyleElement.js"),b=r.n(c),w=r("./node_modules/style-loader/dist/runtime/styleTagTransform.js"),u=r.n(w),f=r("./node_modules/css-loader/dist/cjs.js!./style/index.css"),m={};m.styleTagTransform=u(),m.setAttributes=p(),m.insert=s().bind(null,"head"),m.domAPI=a(),m.insertStyleElement=b(),i()(f.A,m);let v=f.A&&f.A.locals?f.A.locals:void 0;r.d(o,{},{default:v})},"./node_modules/style-loader/dist/runtime/injectStylesIntoStyleTag.js"(e){var o=[];function r(e){for(var r=-1,t=0;t<o.length;t++)if(o[t].identifier===e){r=t;break}return r}function t(e,t){for(var i={},n=[],a=0;a<e.length;a++){var l=e[a],s=t.base?l[0]+t.base:l[0],d=i[s]||0,p="".concat(s," ").concat(d);i[s]=d+1;var c=r(p),b={css:l[1],media:l[2],sourceMap:l[3],supports:l[4],layer:l[5]};if(-1!==c)o[c].references++,o[c].updater(b);else{var w=function(e,o){var r=o.domAPI(o);return r.update(e),function(o){o?(o.css!==e.css||o.media!==e.media||o.sourceMap!==e.sourceMap||o.supports!==e.supports||o.layer!==e.layer)&&r.update(e=o):r.remove()}}(b,t);t.byIndex=a,o.splice(a,0,{identifier:p,updater:w,references:1})}n.push(p)}return n}e.exports=function(e,i){var n=t(e=e||[],i=i||{});return function(e){e=e||[];for(var a=0;a<n.length;a++){var l=r(n[a]);o[l].references--}for(var s=t(e,i),d=0;d<n.length;d++){var p=r(n[d]);0===o[p].references&&(o[p].updater(),o.splice(p,1))}n=s}}},"./node_modules/style-loader/dist/runtime/insertBySelector.js"(e){var o={};e.exports=function(e,r){var t=function(e){if(void 0===o[e]){var r=document.querySelector(e);if(window.HTMLIFrameElement&&r instanceof window.HTMLIFrameElement)try{r=r.contentDocument.head}catch(e){r=null}o[e]=r}return o[e]}(e);if(!t)throw Error("Couldn't find a style target. This probably means that the value for the 'insert' parameter is invalid.");t.appendChild(r)}},"./node_modules/style-loader/dist/runtime/insertStyleElement.js"(e){e.exports=function(e){var o=document.createElement("style");return e.setAttributes(o,e.attributes),e.insert(o,e.options),o}},"./node_modules/style-loader/dist/runtime/setAttributesWithoutAttributes.js"(e,o,r){e.exports=function(e){var o=r.nc;o&&e.setAttribute("nonce",o)}},"./node_modules/style-loader/dist/runtime/styleDomAPI.js"(e){e.exports=function(e){if("u"<typeof document)return{update:function(){},remove:function(){}};var o=e.insertStyleElement(e);return{update:function(r){var t,i,n;t="",r.supports&&(t+="@supports (".concat(r.supports,") {")),r.media&&(t+="@media ".concat(r.media," {")),(i=void 0!==r.layer)&&(t+="@layer".concat(r.layer.length>0?" ".concat(r.layer):""," {")),t+=r.css,i&&(t+="}"),r.media&&(t+="}"),r.supports&&(t+="}"),(n=r.sourceMap)&&"u">typeof btoa&&(t+="\n/*# sourceMappingURL=data:application/json;base64,".concat(btoa(unescape(encodeURIComponent(JSON.stringify(n))))," */")),e.styleTagTransform(t,o,e.options)},remove:function(){var e;null===(e=o).parentNode||e.parentNode.removeChild(e)}}}},"./node_modules/style-loader/dist/runtime/styleTagTransform.js"(e){e.exports=function(e,o){if(o.styleSheet)o.styleSheet.cssText=e;else{for(;o.firstChild;)o.removeChild(o.firstChild);o.appendChild(document.createTextNode(e))}}}}]);