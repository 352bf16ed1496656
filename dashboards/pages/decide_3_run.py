"""Run: how one training went, and where its errors stand."""

from dashboards import error_cards, frame, run_view

with frame.page("Run"):
    run = run_view.chosen_run()
    if run:
        run_view.head(run)
        table = run_view.predictions(run)
        run_view.curves_and_answers(run, table)
        if table:
            error_cards.errors(table)
            run_view.worst(run, table)
        run_view.parameters_and_files(run)
