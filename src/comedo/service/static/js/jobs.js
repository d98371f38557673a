// Waits for a job, asking less often the longer it takes; a lost connection only makes it wait.
export async function follow(id, tell) {
  for (let wait = 150; ; wait = Math.min(wait * 1.2, 3000)) {
    const job = await read(`/api/v1/jobs/${id}`);
    if (job) tell(job);
    if (job && (job.state === "done" || job.state === "failed")) return job;
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

async function read(address) {
  try {
    const answer = await fetch(address);
    return answer.ok ? await answer.json() : null;
  } catch {
    return null; // no connection: ask again
  }
}
