// The secret of the start link goes from behind the # into a cookie, and out of the history.
const token = location.hash.slice(1);
history.replaceState(null, "", location.pathname);

const answer = await fetch("/api/v1/sessions/start", {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ token }),
}).catch(() => null);

if (answer?.ok) location.replace("/diary");
else {
  const line = document.getElementById("opening");
  line.textContent = line.dataset.failed;
}
