/** Shows a page that failed as a message, instead of nothing. */

import { Component, type ComponentChildren } from "preact";
import { Failure } from "../parts/Failure";

export class Boundary extends Component<{ children: ComponentChildren }, { error: unknown }> {
  override state = { error: undefined as unknown };

  static override getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render() {
    if (this.state.error === undefined) return this.props.children;
    return (
      <>
        <Failure error={this.state.error} />
        <div class="row">
          <button type="button" onClick={() => this.setState({ error: undefined })}>
            Try again
          </button>
          <button type="button" onClick={() => (sessionStorage.clear(), location.reload())}>
            Forget the drafts and reload
          </button>
        </div>
      </>
    );
  }
}
