// Runs in the page before Gradio does: every request to the viewer's own server carries the token that
// the server wrote into this page, by which it knows that the request comes from no other site.
(() => {
  const given = document.querySelector('meta[name="page-token"]');
  const key = `deep-pneumonia/page-token/${given?.getAttribute("data-of")}`; // a server accepts its own only
  let token = given?.getAttribute("content") ?? "";
  try {
    // The first token of a tab, so that the tab keeps its uploads after a reload where cookies are blocked.
    token = sessionStorage.getItem(key) ?? token;
    sessionStorage.setItem(key, token);
  } catch {
    // Without storage each page has a token of its own.
  }
  const plain = window.fetch;
  window.fetch = (resource, options) => {
    const asked = resource instanceof Request ? resource : undefined;
    const url = new URL(asked?.url ?? String(resource), document.baseURI);
    if (url.origin !== location.origin) return plain(resource, options);
    const headers = new Headers(options?.headers ?? asked?.headers);
    headers.set("X-Page-Token", token);
    return plain(resource, { ...options, headers });
  };
  Object.assign(window, {
    /** The address of a file of the server, for pictures and links: they send no header. @param {string} url */
    withPageToken: (url) => `${url}${url.includes("?") ? "&" : "?"}page_token=${token}`,
  });
})();
