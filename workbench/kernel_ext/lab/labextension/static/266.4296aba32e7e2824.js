"use strict";(self.rspackChunkworkbench_lab=self.rspackChunkworkbench_lab||[]).push([[266],{475(e,o,r){var t=r(601),n=r.n(t),a=r(314),i=(r.n(a))()(n());i.push([e.id,`/* Only JupyterLab's variables, so that every theme fits. */

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
`,""]),r.d(o,{},{A:i})},646(e,o,r){var t=r(601),n=r.n(t),a=r(314),i=r.n(a),l=r(475),c=i()(n());c.i(l.A),c.push([e.id,`
`,""]),r.d(o,{},{A:c})},314(e){e.exports=function(e){var o=[];return o.toString=function(){return this.map(function(o){var r="",t=void 0!==o[5];return o[4]&&(r+="@supports (".concat(o[4],") {")),o[2]&&(r+="@media ".concat(o[2]," {")),t&&(r+="@layer".concat(o[5].length>0?" ".concat(o[5]):""," {")),r+=e(o),t&&(r+="}"),o[2]&&(r+="}"),o[4]&&(r+="}"),r}).join("")},o.i=function(e,r,t,n,a){"string"==typeof e&&(e=[[null,e,void 0]]);var i={};if(t)for(var l=0;l<this.length;l++){var c=this[l][0];null!=c&&(i[c]=!0)}for(var p=0;p<e.length;p++){var s=[].concat(e[p]);t&&i[s[0]]||(void 0!==a&&(void 0===s[5]||(s[1]="@layer".concat(s[5].length>0?" ".concat(s[5]):""," {").concat(s[1],"}")),s[5]=a),r&&(s[2]&&(s[1]="@media ".concat(s[2]," {").concat(s[1],"}")),s[2]=r),n&&(s[4]?(s[1]="@supports (".concat(s[4],") {").concat(s[1],"}"),s[4]=n):s[4]="".concat(n)),o.push(s))}},o}},601(e){e.exports=function(e){return e[1]}},665(e,o,r){r.r(o);var t=r(72),n=r.n(t),a=r(825),i=r.n(a),l=r(659),c=r.n(l),p=r(56),s=r.n(p),d=r(540),u=r.n(d),f=r(113),b=r.n(f),v=r(646),w={};w.styleTagTransform=b(),w.setAttributes=s(),w.insert=c().bind(null,"head"),w.domAPI=i(),w.insertStyleElement=u(),n()(v.A,w);let h=v.A&&v.A.locals?v.A.locals:void 0;r.d(o,{},{default:h})},72(e){var o=[];function r(e){for(var r=-1,t=0;t<o.length;t++)if(o[t].identifier===e){r=t;break}return r}function t(e,t){for(var n={},a=[],i=0;i<e.length;i++){var l=e[i],c=t.base?l[0]+t.base:l[0],p=n[c]||0,s="".concat(c," ").concat(p);n[c]=p+1;var d=r(s),u={css:l[1],media:l[2],sourceMap:l[3],supports:l[4],layer:l[5]};if(-1!==d)o[d].references++,o[d].updater(u);else{var f=function(e,o){var r=o.domAPI(o);return r.update(e),function(o){o?(o.css!==e.css||o.media!==e.media||o.sourceMap!==e.sourceMap||o.supports!==e.supports||o.layer!==e.layer)&&r.update(e=o):r.remove()}}(u,t);t.byIndex=i,o.splice(i,0,{identifier:s,updater:f,references:1})}a.push(s)}return a}e.exports=function(e,n){var a=t(e=e||[],n=n||{});return function(e){e=e||[];for(var i=0;i<a.length;i++){var l=r(a[i]);o[l].references--}for(var c=t(e,n),p=0;p<a.length;p++){var s=r(a[p]);0===o[s].references&&(o[s].updater(),o.splice(s,1))}a=c}}},659(e){var o={};e.exports=function(e,r){var t=function(e){if(void 0===o[e]){var r=document.querySelector(e);if(window.HTMLIFrameElement&&r instanceof window.HTMLIFrameElement)try{r=r.contentDocument.head}catch(e){r=null}o[e]=r}return o[e]}(e);if(!t)throw Error("Couldn't find a style target. This probably means that the value for the 'insert' parameter is invalid.");t.appendChild(r)}},540(e){e.exports=function(e){var o=document.createElement("style");return e.setAttributes(o,e.attributes),e.insert(o,e.options),o}},56(e,o,r){e.exports=function(e){var o=r.nc;o&&e.setAttribute("nonce",o)}},825(e){e.exports=function(e){if("u"<typeof document)return{update:function(){},remove:function(){}};var o=e.insertStyleElement(e);return{update:function(r){var t,n,a;t="",r.supports&&(t+="@supports (".concat(r.supports,") {")),r.media&&(t+="@media ".concat(r.media," {")),(n=void 0!==r.layer)&&(t+="@layer".concat(r.layer.length>0?" ".concat(r.layer):""," {")),t+=r.css,n&&(t+="}"),r.media&&(t+="}"),r.supports&&(t+="}"),(a=r.sourceMap)&&"u">typeof btoa&&(t+="\n/*# sourceMappingURL=data:application/json;base64,".concat(btoa(unescape(encodeURIComponent(JSON.stringify(a))))," */")),e.styleTagTransform(t,o,e.options)},remove:function(){var e;null===(e=o).parentNode||e.parentNode.removeChild(e)}}}},113(e){e.exports=function(e,o){if(o.styleSheet)o.styleSheet.cssText=e;else{for(;o.firstChild;)o.removeChild(o.firstChild);o.appendChild(document.createTextNode(e))}}}}]);