const target = document.querySelector("#card");

const opening = CardEnrollment.open({ url: target.dataset.url, target });
opening.on("return", () => location.assign("/"));

const { status } = await opening;
document.querySelector("#status").textContent = status;
