/// Style and script of the page.
enum HTMLAssets {
    static let style = """
        :root {
            color-scheme: light dark;
            --ground: #f6f7f9; --paper: #ffffff; --ink: #1d2430; --quiet: #667085; --line: #e2e6ec; --hover: #f0f4fa;
            --identical: #8593a8; --rewritten: #1f9d61; --control-flow: #2f6fde; --callout: #d9480f; --heat: #ffd8a8;
        }
        @media (prefers-color-scheme: dark) {
            :root {
                --ground: #14181f; --paper: #1c222c; --ink: #e4e9f1; --quiet: #98a4b8; --line: #2e3644; --hover: #252d3a;
                --identical: #8b99b0; --rewritten: #45c48a; --control-flow: #6ea0ff; --callout: #ff8a50; --heat: #5f4420;
            }
        }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--ground); color: var(--ink); font: 14px/1.5 system-ui, "DejaVu Sans", sans-serif; }
        header, main, footer { max-width: 1360px; margin: 0 auto; padding: 0 24px; }
        header { padding-top: 28px; }
        h1 { font-size: 24px; margin: 0; letter-spacing: -0.01em; }
        h1 .image { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: 0.9em; overflow-wrap: anywhere; }
        h2 { font-size: 18px; margin: 0; }
        h3 { font-size: 11px; margin: 0 0 4px; color: var(--quiet); text-transform: uppercase; letter-spacing: 0.06em; }
        small { color: var(--quiet); font-weight: 400; font-size: 0.85em; }
        code { font: 12.5px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; white-space: pre; }
        .run { color: var(--quiet); margin: 4px 0 18px; }
        .tiles { display: flex; flex-wrap: wrap; gap: 10px; margin: 0 0 18px; }
        .tiles div { background: var(--paper); border: 1px solid var(--line); border-radius: 8px; padding: 8px 14px; min-width: 116px; }
        .tiles dt { color: var(--quiet); font-size: 12px; }
        .tiles dd { margin: 0; font-size: 18px; font-weight: 600; font-variant-numeric: tabular-nums; }
        .shares p { margin: 0 0 6px; color: var(--quiet); font-size: 12px; }
        .bar { display: flex; height: 14px; border-radius: 7px; overflow: hidden; gap: 2px; margin-bottom: 8px; }
        .bar span { background: var(--d); min-width: 2px; flex-basis: 0; }
        .shares .legend { display: flex; flex-wrap: wrap; gap: 18px; color: var(--ink); font-size: 13px; }
        .key i { display: inline-block; width: 10px; height: 10px; border-radius: 3px; background: var(--d); margin-right: 6px; }
        .d-identical { --d: var(--identical); } .d-rewritten { --d: var(--rewritten); }
        .d-control-flow { --d: var(--control-flow); } .d-callout { --d: var(--callout); }
        section { margin: 28px 0; }
        section > h2 { margin-bottom: 10px; }
        .bar-title { display: flex; flex-wrap: wrap; align-items: center; gap: 8px; margin-bottom: 10px; }
        .bar-title h2 { margin-right: auto; }
        input, .bar-title button { font: inherit; font-size: 13px; padding: 5px 10px; color: inherit; background: var(--paper);
            border: 1px solid var(--line); border-radius: 6px; }
        input { width: 290px; }
        .bar-title button { cursor: pointer; }
        table { border-collapse: collapse; }
        .list { width: 100%; background: var(--paper); border: 1px solid var(--line); border-radius: 8px; border-spacing: 0;
            border-collapse: separate; }
        .list > thead th { text-align: left; padding: 0; border-bottom: 1px solid var(--line); position: sticky; top: 0;
            background: var(--paper); z-index: 1; }
        .list > thead th:first-child { border-top-left-radius: 8px; }
        .list > thead th:last-child { border-top-right-radius: 8px; }
        .list > thead button { all: unset; cursor: pointer; display: block; width: 100%; box-sizing: border-box; padding: 8px 12px; font-size: 12px; color: var(--quiet);
            font-weight: 600; white-space: nowrap; }
        .list > thead button:hover, .list > thead button:focus-visible { color: var(--ink); text-decoration: underline; }
        .list > thead .number button { text-align: right; }
        th[aria-sort=descending] button::after { content: " \\25BC"; }
        th[aria-sort=ascending] button::after { content: " \\25B2"; }
        .head { cursor: pointer; }
        .head > td { padding: 7px 12px; border-top: 1px solid var(--line); white-space: nowrap; }
        thead + tbody .head > td { border-top: 0; }
        .head:hover > td { background: var(--hover); }
        .head:focus-visible { outline: 2px solid var(--control-flow); outline-offset: -2px; }
        .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
        .hot { position: relative; min-width: 130px; }
        .heat { position: absolute; right: 6px; top: 5px; bottom: 5px; background: var(--heat); border-radius: 4px; max-width: calc(100% - 12px); }
        .hot span { position: relative; }
        .turn { display: inline-block; width: 16px; color: var(--quiet); }
        .turn::before { content: "\\25BE"; }
        .closed .turn::before { content: "\\25B8"; }
        .closed .more { display: none; }
        .more > td { padding: 2px 12px 18px 28px; }
        .facts { margin: 0 0 8px; color: var(--quiet); font-size: 12.5px; }
        .facts span + span::before { content: " · "; }
        .wide { overflow-x: auto; }
        .listing { width: 100%; }
        .listing th { text-align: left; font-size: 11px; color: var(--quiet); font-weight: 500; padding: 2px 14px 2px 10px; }
        .listing td { vertical-align: top; padding: 3px 14px 3px 10px; border-top: 1px solid var(--line); }
        .listing td:first-child { border-left: 4px solid var(--d); }
        .listing .label td { border-left: 0; padding-top: 8px; font-weight: 600; font-size: 12.5px; }
        .listing .bytes code { white-space: normal; display: inline-block; width: 15ch; color: var(--quiet); }
        .listing .ops code { color: var(--quiet); }
        .listing .frame td { color: var(--quiet); font-size: 12.5px; }
        .listing .frame td:first-child { border-left-color: transparent; }
        .listing.native .why { width: 19%; min-width: 190px; }
        .lines { display: grid; grid-template-columns: 43ch auto; column-gap: 10px; font-size: 12.5px; }
        .lines code.host { opacity: 0.65; font-size: 11px; line-height: 19px; }
        .guest { font-weight: 600; }
        .why { width: 40%; min-width: 260px; font-size: 12.5px; line-height: 1.45; }
        .why em { color: var(--quiet); font-style: normal; }
        .chip { display: inline-block; color: var(--d); border: 1px solid var(--d); border-radius: 9px; padding: 0 7px; font-size: 11px;
            line-height: 16px; white-space: nowrap; }
        .chip[title] { cursor: help; border-style: dashed; }
        .ways { display: flex; flex-wrap: wrap; gap: 8px 44px; margin-top: 14px; font-size: 13px; }
        .ways ul { margin: 0; padding: 0; list-style: none; }
        .ways summary { color: var(--quiet); cursor: pointer; }
        .ways p { margin: 0; color: var(--quiet); }
        .ways code { white-space: normal; }
        .unlinked { color: var(--quiet); }
        a { color: var(--control-flow); }
        .sites td { padding: 2px 22px 2px 0; font-size: 12.5px; }
        .target > .head > td { background: var(--hover); }
        footer { color: var(--quiet); font-size: 12.5px; padding-bottom: 40px; }
        @media print { .closed .more { display: table-row; } input, .bar-title button { display: none; } }
        """

    /// Sorting, opening and filtering; without it everything is there, in order of heat.
    static let script = """
        "use strict";
        const open = (body, isOpen) => {
            body.classList.toggle("closed", !isOpen);
            body.querySelector(".head").setAttribute("aria-expanded", isOpen);
        };
        const sort = (table, column, heading) => {
            const isDown = heading.getAttribute("aria-sort") !== "descending";
            for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
            heading.setAttribute("aria-sort", isDown ? "descending" : "ascending");
            const value = body => {
                const text = body.rows[0].cells[column].dataset.v;
                return text !== "" && !isNaN(text) ? Number(text) : text;
            };
            const order = (a, b) => {
                const [x, y] = [value(a), value(b)];
                const result = typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y));
                return (isDown ? -result : result) || a.dataset.order - b.dataset.order;
            };
            table.append(...Array.from(table.tBodies).sort(order));
        };
        for (const table of document.querySelectorAll(".list")) {
            Array.from(table.tHead.rows[0].cells).forEach((heading, column) => {
                heading.querySelector("button").addEventListener("click", () => sort(table, column, heading));
            });
            for (const body of table.tBodies) {
                const head = body.querySelector(".head");
                const turn = () => open(body, body.classList.contains("closed"));
                head.addEventListener("click", turn);
                head.addEventListener("keydown", event => {
                    if (event.key !== "Enter" && event.key !== " ") return;
                    event.preventDefault();
                    turn();
                });
            }
        }
        const blocks = document.querySelector("#blocks");
        if (blocks) {
            Array.from(blocks.tBodies).forEach((body, index) => open(body, index < 3));
            const search = document.querySelector("input[type=search]");
            search.addEventListener("input", () => {
                const wanted = search.value.trim().toLowerCase();
                for (const body of blocks.tBodies) body.hidden = !body.textContent.toLowerCase().includes(wanted);
            });
            for (const button of document.querySelectorAll("[data-all]")) {
                button.addEventListener("click", () => {
                    for (const body of blocks.tBodies) open(body, button.dataset.all === "open");
                });
            }
            const show = () => {
                for (const body of blocks.tBodies) body.classList.remove("target");
                const body = location.hash && document.getElementById(location.hash.slice(1));
                if (!body || body.tagName !== "TBODY") return;
                body.hidden = false;
                body.classList.add("target");
                open(body, true);
                body.scrollIntoView({ block: "start" });
            };
            window.addEventListener("hashchange", show);
            show();
        }
        """
}
