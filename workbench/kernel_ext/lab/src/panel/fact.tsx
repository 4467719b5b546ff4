/** A name and its value in a list of facts; a value that is cut is whole in its title. */
import * as React from 'react';

export function Fact({ name, value }: { name: string; value: string }): JSX.Element {
  return (
    <>
      <dt>{name}</dt>
      <dd title={value}>{value}</dd>
    </>
  );
}
