"use strict";(self.rspackChunkworkbench_lab=self.rspackChunkworkbench_lab||[]).push([[266],{475(o,e,r){var t=r(601),n=r.n(t),i=r(314),a=(r.n(i))()(n());a.push([o.id,`/* Only JupyterLab's variables, so that every theme fits. */

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

.cm-editor.wb-LogSearch .cm-tooltip {
  border: var(--jp-border-width) solid var(--jp-border-color1);
  background: var(--jp-layout-color1);
  color: var(--jp-ui-font-color1);
}

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

/* ---- the automation panel ---- */

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

.wb-Automation-page {
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
.wb-Automation button:focus-visible,
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

.wb-Automation-page > .wb-Mistake,
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
`,""]),r.d(e,{},{A:a})},646(o,e,r){var t=r(601),n=r.n(t),i=r(314),a=r.n(i),p=r(475),l=a()(n());l.i(p.A),l.push([o.id,`
`,""]),r.d(e,{},{A:l})},314(o){o.exports=function(o){var e=[];return e.toString=function(){return this.map(function(e){var r="",t=void 0!==e[5];return e[4]&&(r+="@supports (".concat(e[4],") {")),e[2]&&(r+="@media ".concat(e[2]," {")),t&&(r+="@layer".concat(e[5].length>0?" ".concat(e[5]):""," {")),r+=o(e),t&&(r+="}"),e[2]&&(r+="}"),e[4]&&(r+="}"),r}).join("")},e.i=function(o,r,t,n,i){"string"==typeof o&&(o=[[null,o,void 0]]);var a={};if(t)for(var p=0;p<this.length;p++){var l=this[p][0];null!=l&&(a[l]=!0)}for(var d=0;d<o.length;d++){var c=[].concat(o[d]);t&&a[c[0]]||(void 0!==i&&(void 0===c[5]||(c[1]="@layer".concat(c[5].length>0?" ".concat(c[5]):""," {").concat(c[1],"}")),c[5]=i),r&&(c[2]&&(c[1]="@media ".concat(c[2]," {").concat(c[1],"}")),c[2]=r),n&&(c[4]?(c[1]="@supports (".concat(c[4],") {").concat(c[1],"}"),c[4]=n):c[4]="".concat(n)),e.push(c))}},e}},601(o){o.exports=function(o){return o[1]}},665(o,e,r){r.r(e);var t=r(72),n=r.n(t),i=r(825),a=r.n(i),p=r(659),l=r.n(p),d=r(56),c=r.n(d),s=r(540),b=r.n(s),f=r(113),u=r.n(f),w=r(646),m={};m.styleTagTransform=u(),m.setAttributes=c(),m.insert=l().bind(null,"head"),m.domAPI=a(),m.insertStyleElement=b(),n()(w.A,m);let v=w.A&&w.A.locals?w.A.locals:void 0;r.d(e,{},{default:v})},72(o){var e=[];function r(o){for(var r=-1,t=0;t<e.length;t++)if(e[t].identifier===o){r=t;break}return r}function t(o,t){for(var n={},i=[],a=0;a<o.length;a++){var p=o[a],l=t.base?p[0]+t.base:p[0],d=n[l]||0,c="".concat(l," ").concat(d);n[l]=d+1;var s=r(c),b={css:p[1],media:p[2],sourceMap:p[3],supports:p[4],layer:p[5]};if(-1!==s)e[s].references++,e[s].updater(b);else{var f=function(o,e){var r=e.domAPI(e);return r.update(o),function(e){e?(e.css!==o.css||e.media!==o.media||e.sourceMap!==o.sourceMap||e.supports!==o.supports||e.layer!==o.layer)&&r.update(o=e):r.remove()}}(b,t);t.byIndex=a,e.splice(a,0,{identifier:c,updater:f,references:1})}i.push(c)}return i}o.exports=function(o,n){var i=t(o=o||[],n=n||{});return function(o){o=o||[];for(var a=0;a<i.length;a++){var p=r(i[a]);e[p].references--}for(var l=t(o,n),d=0;d<i.length;d++){var c=r(i[d]);0===e[c].references&&(e[c].updater(),e.splice(c,1))}i=l}}},659(o){var e={};o.exports=function(o,r){var t=function(o){if(void 0===e[o]){var r=document.querySelector(o);if(window.HTMLIFrameElement&&r instanceof window.HTMLIFrameElement)try{r=r.contentDocument.head}catch(o){r=null}e[o]=r}return e[o]}(o);if(!t)throw Error("Couldn't find a style target. This probably means that the value for the 'insert' parameter is invalid.");t.appendChild(r)}},540(o){o.exports=function(o){var e=document.createElement("style");return o.setAttributes(e,o.attributes),o.insert(e,o.options),e}},56(o,e,r){o.exports=function(o){var e=r.nc;e&&o.setAttribute("nonce",e)}},825(o){o.exports=function(o){if("u"<typeof document)return{update:function(){},remove:function(){}};var e=o.insertStyleElement(o);return{update:function(r){var t,n,i;t="",r.supports&&(t+="@supports (".concat(r.supports,") {")),r.media&&(t+="@media ".concat(r.media," {")),(n=void 0!==r.layer)&&(t+="@layer".concat(r.layer.length>0?" ".concat(r.layer):""," {")),t+=r.css,n&&(t+="}"),r.media&&(t+="}"),r.supports&&(t+="}"),(i=r.sourceMap)&&"u">typeof btoa&&(t+="\n/*# sourceMappingURL=data:application/json;base64,".concat(btoa(unescape(encodeURIComponent(JSON.stringify(i))))," */")),o.styleTagTransform(t,e,o.options)},remove:function(){var o;null===(o=e).parentNode||o.parentNode.removeChild(o)}}}},113(o){o.exports=function(o,e){if(e.styleSheet)e.styleSheet.cssText=o;else{for(;e.firstChild;)e.removeChild(e.firstChild);e.appendChild(document.createTextNode(o))}}}}]);