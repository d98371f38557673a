// Looks after a job and shows its result when it is there.
import { follow } from "./jobs.js";

const bar = document.getElementById("waiting");
if (bar.dataset.job) await follow(bar.dataset.job, (job) => (bar.value = job.progress));
else await new Promise((resolve) => setTimeout(resolve, 2000));
location.reload();
