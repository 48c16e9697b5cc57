for (const slider of document.querySelectorAll(".slider")) {
  const stage = slider.querySelector(".stage");
  const divider = stage.querySelector("input");
  divider.addEventListener("input", () => stage.style.setProperty("--at", `${divider.value}%`));
  for (const menu of slider.querySelectorAll("select")) {
    menu.addEventListener("change", () => {
      const images = stage.querySelectorAll("img");
      images.forEach((image, place) => image.classList.toggle(menu.className, place === menu.selectedIndex));
    });
  }
}

for (const heading of document.querySelectorAll("thead th")) {
  heading.addEventListener("click", () => {
    const order = heading.dataset.order === "1" ? -1 : 1;
    for (const other of heading.parentNode.children) delete other.dataset.order;
    heading.dataset.order = order;
    const body = heading.closest("table").tBodies[0];
    const text = (row) => row.cells[heading.cellIndex].textContent;
    const compare = (a, b) => text(a).localeCompare(text(b), "en", { numeric: true });
    const number = (row) => Number.parseFloat(text(row));
    const difference = (a, b) => (Number.isNaN(number(a) + number(b)) ? compare(a, b) : number(a) - number(b));
    body.append(...[...body.rows].sort((a, b) => order * difference(a, b)));
  });
}
