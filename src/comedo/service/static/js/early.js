// Runs before the first paint: styles know from the class that scripts work.
document.documentElement.classList.add("js");
